// SPDX-FileCopyrightText: 2026 The Gridwatch authors
// SPDX-License-Identifier: GPL-3.0-or-later

// Drawn street scenes for docs/screenshot.png: no footage of anybody. Each is a still street and
// something that moves through it, as SVG.

const range = (count) => Array.from({ length: count }, (_, n) => n);

const tree = (x, y, size, leaf) =>
  `<rect x="${x - size / 14}" y="${y - size * 0.5}" width="${size / 7}" height="${size * 0.5}" fill="#5b4636"/>` +
  `<circle cx="${x}" cy="${y - size * 0.75}" r="${size * 0.38}" fill="${leaf}"/>` +
  `<circle cx="${x - size * 0.24}" cy="${y - size * 0.58}" r="${size * 0.26}" fill="${leaf}" opacity=".85"/>`;

const lamp = (x, y, glow) =>
  `<path d="M${x} ${y}V${y - 190}q0-16 16-16h26" fill="none" stroke="#3b4147" stroke-width="5"/>` +
  `<ellipse cx="${x + 48}" cy="${y - 203}" rx="15" ry="5" fill="${glow ? '#ffe6a8' : '#70777d'}"/>` +
  (glow ? `<path d="M${x + 34} ${y - 200}h28l70 200h-168z" fill="#ffdf94" opacity=".13"/>` : '');

const house = (x, width, height, wall, window, roof) =>
  `<rect x="${x}" y="${210 - height}" width="${width}" height="${height}" fill="${wall}"/>` +
  `<rect x="${x - 4}" y="${206 - height}" width="${width + 8}" height="9" fill="${roof}"/>` +
  range(Math.floor(width / 46)).flatMap((column) => range(Math.floor(height / 56)).map((row) =>
    `<rect x="${x + 16 + column * 46}" y="${226 - height + row * 52}" width="24" height="30" fill="${window}" stroke="${roof}" stroke-width="2"/>`)).join('');

function street({ sky, far, walls, window, roof, road, kerb, leaf, lit }) {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="960" height="540" viewBox="0 0 640 360">
    <defs><linearGradient id="sky" x2="0" y2="1"><stop stop-color="${sky[0]}"/><stop offset="1" stop-color="${sky[1]}"/></linearGradient>
    <linearGradient id="road" x2="0" y2="1"><stop stop-color="${road[0]}"/><stop offset="1" stop-color="${road[1]}"/></linearGradient></defs>
    <rect width="640" height="360" fill="url(#sky)"/><path d="M0 150q90-60 190-30t200-20 250 30v90H0z" fill="${far}"/>
    ${house(-20, 170, 128, walls[0], window, roof)}${house(176, 130, 96, walls[1], window, roof)}${house(420, 240, 150, walls[2], window, roof)}
    <rect y="208" width="640" height="30" fill="${kerb}"/><rect y="236" width="640" height="124" fill="url(#road)"/><rect y="235" width="640" height="3" fill="#fff" opacity=".25"/>
    ${range(6).map((n) => `<path d="M${n * 124 - 40} 302h70l-6 7h-72z" fill="#fff" opacity=".55"/>`).join('')}
    ${range(7).map((n) => `<path d="M${500 + n * 20} 240h10l${14 + n * 4} 120h-20z" fill="#fff" opacity=".32"/>`).join('')}
    ${tree(345, 224, 120, leaf)}${tree(392, 228, 84, leaf)}${lamp(160, 236, lit)}</svg>`;
}

const van = (body) => `<svg xmlns="http://www.w3.org/2000/svg" width="225" height="120" viewBox="0 0 150 80">
  <ellipse cx="75" cy="72" rx="70" ry="6" opacity=".3"/><path d="M6 20q0-8 8-8h78q6 0 9 4l22 26 17 5q6 2 6 9v14H6z" fill="${body}"/>
  <path d="M98 18l20 23H90V18z" fill="#2a3946"/><rect x="18" y="22" width="60" height="16" rx="2" fill="#000" opacity=".1"/>
  <g fill="#16191c"><circle cx="34" cy="68" r="11"/><circle cx="118" cy="68" r="11"/></g><g fill="#8d949a"><circle cx="34" cy="68" r="4"/><circle cx="118" cy="68" r="4"/></g>
  <rect x="141" y="50" width="6" height="6" fill="#ffe08a"/></svg>`;

const tricycle = (box) => `<svg xmlns="http://www.w3.org/2000/svg" width="180" height="120" viewBox="0 0 120 80">
  <ellipse cx="60" cy="73" rx="52" ry="5" opacity=".3"/><path d="M8 34h52v24H8z" fill="${box}"/><path d="M60 56h30M92 26l8 38M84 28h14" stroke="#3a4046" stroke-width="4" fill="none"/>
  <rect x="66" y="40" width="16" height="5" rx="2" fill="#22272b"/><g fill="none" stroke="#16191c" stroke-width="5"><circle cx="28" cy="64" r="9"/><circle cx="101" cy="64" r="9"/></g></svg>`;

export const scenes = {
  day: { moves: van('#e9edf0'), still: street({ sky: ['#9fc3dd', '#dbe8ee'], far: '#a9bfae', walls: ['#c9b79c', '#b98f74', '#d4cbbb'], window: '#8fb0c2',
    roof: '#7f6754', road: ['#6c7277', '#585e63'], kerb: '#b5b3ab', leaf: '#5f8a4f' }) },
  dusk: { moves: tricycle('#c9772e'), still: street({ sky: ['#4e5b82', '#d99a72'], far: '#6b6a82', walls: ['#84706c', '#6f5f68', '#92807a'], window: '#f3c987',
    roof: '#4d4048', road: ['#4c5058', '#3d4148'], kerb: '#7b7578', leaf: '#445b44', lit: true }) },
  night: { moves: van('#9db0c2'), still: street({ sky: ['#0b111d', '#1d2739'], far: '#161d28', walls: ['#262c35', '#222830', '#2b313a'], window: '#3a4556',
    roof: '#171b21', road: ['#23282e', '#1b1f24'], kerb: '#33383e', leaf: '#1f2c25', lit: true }) },
  morning: { moves: tricycle('#3b6fa3'), still: street({ sky: ['#c8d4d8', '#eef0ea'], far: '#b8c6bd', walls: ['#d9d2c2', '#c7b8a8', '#bfc7c9'], window: '#9db7c0',
    roof: '#8a7b6c', road: ['#7d8285', '#696e72'], kerb: '#c3c1b9', leaf: '#789f62' }) },
};
