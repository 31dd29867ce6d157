# SPDX-FileCopyrightText: 2026 The Gridwatch authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Turns a file into a C array of its bytes: embed.py FILE OUTPUT NAME."""

import sys

source, output, name = sys.argv[1:]
with open(source, 'rb') as file:
    data = file.read()
with open(output, 'w', encoding='ascii') as file:
    file.write(f'#include <stddef.h>\nextern const unsigned char {name}[];\nextern const size_t {name}_size;\n')
    file.write(f'const size_t {name}_size = {len(data)};\nconst unsigned char {name}[] = {{\n')
    for at in range(0, len(data), 20):
        file.write(' '.join(f'{byte},' for byte in data[at:at + 20]) + '\n')
    file.write('};\n')
