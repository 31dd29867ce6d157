-- SPDX-FileCopyrightText: 2026 The Gridwatch authors
-- SPDX-License-Identifier: GPL-3.0-or-later

-- Redis functions, library "gridwatch": what reads or changes several keys at once. The keys, and the
-- layout of a row, are described in docs/ref/redis.md. All keys of a call have the same hash tag.
-- redis_library.c puts the first line of the library, VERSION and DIGEST in front of this.

local ID = 16 -- bytes
local DAY_US = 86400000000
local LATEST = 9007199254740991 -- the last moment that a score tells from its neighbours
local QUEUE_LENGTH = 100000

local NOUNS = {e = 'event', c = 'clip', g = 'gap'}

-- While a library is loaded, Redis hides Lua's own functions: each call begins with this.
local byte, sub, format, floor
local function prepare()
    byte, sub, format, floor = string.byte, string.sub, string.format, math.floor
end

-- Of a row: state, kind, flags (1: it goes on), place (4), start (8), end (8), of events score (2).
local function unfinished(row) return byte(row, 3) % 2 == 1 end
local function place_of(row) return (struct.unpack('>I4', row, 4)) end
local function start_of(row) return math.min((struct.unpack('>I8', row, 8)), LATEST) end
local function end_of(row) return (struct.unpack('>I8', row, 16)) end
local function score_of(row) return (struct.unpack('>I2', row, 24)) end

-- What a row's entries in sorted sets say of it beside its id: kind, place, and of an event its score in
-- hundredths. So most rows that are not meant are passed over unread.
local function label_of(noun, row)
    local label = sub(row, 2, 2) .. sub(row, 4, 7)
    return noun == 'event' and label .. string.char(floor(score_of(row) / 100)) or label
end

-- The hash that a row is in: those of a minute or so, by its id's time stamp, because Redis packs hashes
-- that are neither small nor large.
local function rows_key(node, noun, id)
    return format('%s:%s:rows:%02x%02x%02x%02x', node, noun, byte(id, 1, 4))
end

-- --- facts in -----------------------------------------------------------------------------------

-- What a batch of changes has in common. counts: by key and field, added at its end; longest: by noun;
-- queue: whether it is there.
local function begin_batch(node, offset_us)
    return {node = node, offset_us = offset_us, counts = {}, longest = {}}
end

local function add_to(batch, key, field, count)
    local fields = batch.counts[key] or {}
    batch.counts[key] = fields
    fields[field] = (fields[field] or 0) + count
end

local function tally(batch, noun, row, count)
    local prefix = batch.node .. ':' .. noun
    local day = format('%d', floor((start_of(row) + batch.offset_us) / DAY_US))
    add_to(batch, prefix .. ':day:' .. day, sub(row, 2, 2) .. sub(row, 4, 7), count)
    add_to(batch, prefix .. ':days', day, count)
end

-- Whoever finds a count of 0 takes it away.
local function end_batch(batch)
    for key, fields in pairs(batch.counts) do
        for field, count in pairs(fields) do
            if count ~= 0 and redis.call('HINCRBY', key, field, count) == 0 then redis.call('HDEL', key, field) end
        end
    end
    for noun, length in pairs(batch.longest) do
        redis.call('HSET', batch.node .. ':meta', 'longest:' .. noun, format('%d', length))
    end
end

-- The sorted sets that a row is in for as long as it exists.
local function sets_of(node, noun, row)
    local prefix = node .. ':' .. noun
    local sets = {prefix .. ':start', prefix .. ':place:' .. format('%d', place_of(row))}
    if noun == 'event' and byte(row, 2) > 0 then sets[3] = prefix .. ':kind:' .. byte(row, 2) end
    return sets
end

local function remove(batch, noun, id)
    local rows = rows_key(batch.node, noun, id)
    local row = redis.call('HGET', rows, id)
    if not row then return end
    local member = id .. label_of(noun, row)
    for _, key in ipairs(sets_of(batch.node, noun, row)) do redis.call('ZREM', key, member) end
    redis.call('ZREM', batch.node .. ':' .. noun .. ':open', member)
    tally(batch, noun, row, -1)
    redis.call('HDEL', rows, id)
end

local function note_length(batch, noun, row)
    local length = end_of(row) - start_of(row)
    if not batch.longest[noun] then
        batch.longest[noun] = tonumber(redis.call('HGET', batch.node .. ':meta', 'longest:' .. noun) or 0)
    end
    batch.longest[noun] = math.max(batch.longest[noun], length)
end

local function put(batch, noun, id, row)
    local rows = rows_key(batch.node, noun, id)
    local old = redis.call('HGET', rows, id)
    if old == row then return end
    local label = label_of(noun, row)
    if old and (label_of(noun, old) ~= label or start_of(old) ~= start_of(row)) then
        remove(batch, noun, id)
        old = nil
    end
    local member, score = id .. label, format('%d', start_of(row))
    if not old then
        for _, key in ipairs(sets_of(batch.node, noun, row)) do redis.call('ZADD', key, score, member) end
        tally(batch, noun, row, 1)
    end
    if unfinished(row) then
        redis.call('ZADD', batch.node .. ':' .. noun .. ':open', score, member)
    elseif old and unfinished(old) then
        redis.call('ZREM', batch.node .. ':' .. noun .. ':open', member)
    end
    note_length(batch, noun, row)
    redis.call('HSET', rows, id, row)
end

-- Where a camera is now is its newest place.
local function put_place(node, number, camera, text, lon, lat)
    if redis.call('HSETNX', node .. ':places', number, text) == 0 then return end
    redis.call('HINCRBY', node .. ':meta', 'places', 1)
    local state = node .. ':camera:' .. camera
    if tonumber(number) < tonumber(redis.call('HGET', state, 'place') or 0) then return end
    redis.call('HSET', state, 'place', number)
    if lon ~= '' then
        redis.call('GEOADD', node .. ':geo', lon, lat, camera)
    else
        redis.call('ZREM', node .. ':geo', camera)
    end
end

local function put_alert(batch, seq, camera, data)
    local queue = batch.node .. ':queue'
    if not batch.queue and redis.call('EXISTS', queue) == 0 then
        redis.call('XGROUP', 'CREATE', queue, 'review', '0', 'MKSTREAM')
    end
    batch.queue = true
    redis.call('XADD', queue, 'MAXLEN', '~', QUEUE_LENGTH, seq .. '-0', 'camera', camera, 'data', data)
end

-- Each makes one change of a batch, whose words begin at args[i]; returns where the next begins.
local CHANGES = {
    place = function(batch, args, i)
        put_place(batch.node, args[i], args[i + 1], args[i + 2], args[i + 3], args[i + 4])
        return i + 5
    end,
    camera = function(batch, args, i)
        redis.call('HSET', batch.node .. ':camera:' .. args[i], 'status', args[i + 1], 'reason', args[i + 2],
            'since_us', args[i + 3], 'data', args[i + 4])
        return i + 5
    end,
    alert = function(batch, args, i)
        put_alert(batch, args[i], args[i + 1], args[i + 2])
        return i + 3
    end,
    put = function(batch, args, i)
        put(batch, NOUNS[args[i]], args[i + 1], args[i + 2])
        return i + 3
    end,
    remove = function(batch, args, i)
        remove(batch, NOUNS[args[i]], args[i + 1])
        return i + 2
    end,
}

-- keys: of the node, of all nodes. args: epoch; what the caller knows as taken; what is taken with
-- this; offset of the site's days; then the changes. All or none, with the new position. Returns
-- whether, and the position.
local function take(keys, args)
    prepare()
    local node, nodes, epoch = keys[1], keys[2], args[1]
    local taken = redis.call('HGET', nodes, epoch) or '0'
    if taken ~= args[2] then return {0, taken} end
    local meta = node .. ':meta'
    if (redis.call('HGET', meta, 'day_offset_us') or args[4]) ~= args[4] then
        return redis.error_reply('DAYS the days of its counts begin at another time')
    end
    redis.call('HSET', meta, 'day_offset_us', args[4])
    local batch, i = begin_batch(node, tonumber(args[4])), 5
    while i <= #args do i = CHANGES[args[i]](batch, args, i + 1) end
    end_batch(batch)
    redis.call('HSET', nodes, epoch, args[3])
    return {1, args[3]}
end

-- --- pages --------------------------------------------------------------------------------------

-- What is wanted, and what was found so far. Rows are looked at newest first.
local function parse_page(keys, args)
    local page = {
        node = keys[1], noun = args[1], way = args[3],
        before = tonumber(args[5]), id = args[6], -- rows before this start and id; '': before the start
        from = tonumber(args[7]), state = tonumber(args[8]), kind = tonumber(args[9]),
        min_score = tonumber(args[10]), need = tonumber(args[11]), budget = tonumber(args[12]),
        low = 0, looked = 0, found = {},
    }
    page.prefix = page.node .. ':' .. page.noun
    page.least = floor(page.min_score / 100)
    if args[4] ~= '' then
        page.meant, page.places = {}, {}
        for i = 1, #args[4], 4 do
            local place = sub(args[4], i, i + 3)
            page.meant[place] = true
            page.places[#page.places + 1] = place
        end
    end
    return page
end

-- No row that starts before can reach to from: the longest before it, or the oldest that goes on.
local function find_low(page)
    if not page.from then return end
    local longest = tonumber(redis.call('HGET', page.node .. ':meta', 'longest:' .. page.noun) or 0)
    local oldest = redis.call('ZRANGE', page.prefix .. ':open', 0, 0, 'WITHSCORES')[2]
    page.low = math.max(0, page.from - longest)
    if oldest then page.low = math.min(page.low, tonumber(oldest)) end
end

local function full(page) return #page.found >= 2 * page.need end

local function is_meant(page, row, start)
    if page.state >= 0 and byte(row, 1) ~= page.state then return false end
    if page.min_score > 0 and score_of(row) < page.min_score then return false end
    return not page.from or start >= page.from or unfinished(row) or end_of(row) > page.from
end

local function look(page, member, start)
    page.looked = page.looked + 1
    page.before, page.id = start, sub(member, 1, ID)
    if page.meant and not page.meant[sub(member, ID + 2, ID + 5)] then return end
    if page.kind >= 0 and byte(member, ID + 1) ~= page.kind then return end
    if page.min_score > 0 and byte(member, ID + 6) < page.least then return end
    local row = redis.call('HGET', rows_key(page.node, page.noun, page.id), page.id)
    if row and is_meant(page, row, start) then
        page.found[#page.found + 1] = page.id
        page.found[#page.found + 1] = row
    end
end

local function is_behind(page, member, start)
    return start < page.before or (start == page.before and sub(member, 1, ID) < page.id)
end

-- The first bound of what is behind page.before and page.id.
local function bound_of(page) return (page.id == '' and '(' or '') .. format('%d', page.before) end

-- Rows of one sorted set, newest first, from page.before on. Returns whether there is no more.
local function walk_set(page, key)
    local chunk_size, offset, max, bound = math.max(100, 2 * page.need), 0, page.before, bound_of(page)
    while true do
        local chunk = redis.call('ZREVRANGEBYSCORE', key, bound, format('%d', page.low), 'WITHSCORES',
            'LIMIT', offset, chunk_size)
        for i = 1, #chunk, 2 do
            local start = tonumber(chunk[i + 1])
            if start ~= max then max, offset = start, 0 end
            offset = offset + 1
            if is_behind(page, chunk[i], start) then
                look(page, chunk[i], start)
                if full(page) or page.looked >= page.budget then return false end
            end
        end
        if #chunk < 2 * chunk_size then return true end
        bound = format('%d', max)
    end
end

-- Rows of one place that start from `from` on, before page.before. When there are more than `most`,
-- gives the newest of them, and from when on that is all.
local function add_rows_of(page, key, from, most, entries)
    local max = bound_of(page)
    local rows = redis.call('ZREVRANGEBYSCORE', key, max, format('%d', from), 'WITHSCORES', 'LIMIT', 0, most)
    if #rows == 2 * most then
        local oldest = tonumber(rows[#rows])
        if oldest + 1 > tonumber(rows[2]) then -- all start at once: that moment is not torn apart
            rows = redis.call('ZREVRANGEBYSCORE', key, max, rows[2], 'WITHSCORES')
            oldest = oldest - 1
        end
        from = oldest + 1
    end
    for i = 1, #rows, 2 do
        local start = tonumber(rows[i + 1])
        if is_behind(page, rows[i], start) then entries[#entries + 1] = {start, rows[i]} end
    end
    return from
end

local function newer(a, b)
    if a[1] ~= b[1] then return a[1] > b[1] end
    return a[2] > b[2]
end

-- A window that turns out to be crowded ends earlier. Returns the entries that stay, and its end.
local function cut(page, entries, from)
    if #entries <= 20 * page.need then return entries, from end
    table.sort(entries, newer)
    local kept = {}
    from = entries[4 * page.need][1]
    for _, entry in ipairs(entries) do
        if entry[1] < from then break end
        kept[#kept + 1] = entry
    end
    return kept, from
end

-- How long a time has about as many rows of these places as are needed, if all places are alike.
local function first_window(page, newest)
    local rows = redis.call('ZCOUNT', page.prefix .. ':start', format('%d', page.low), format('%d', newest))
    local places = redis.call('HLEN', page.node .. ':places')
    local oldest = page.low
    if oldest == 0 then oldest = tonumber(redis.call('ZRANGE', page.prefix .. ':start', 0, 0, 'WITHSCORES')[2] or 0) end
    local share = rows * #page.places / math.max(places, 1)
    return math.max(1000000, (newest - oldest) * math.min(1, 1.5 * page.need / math.max(share, 1)))
end

-- Rows of several places, newest first: window by window of time, each twice as long as the last.
-- Returns whether there is no more.
local function walk_places(page)
    local newest = redis.call('ZREVRANGEBYSCORE', page.prefix .. ':start', format('%d', page.before),
        format('%d', page.low), 'WITHSCORES', 'LIMIT', 0, 1)[2]
    if not newest then return true end
    newest = tonumber(newest)
    if newest < page.before then page.before, page.id = newest + 1, '' end
    local window = first_window(page, newest)
    while page.looked < page.budget do
        local from, entries = math.max(page.low, floor(page.before - window)), {}
        for _, place in ipairs(page.places) do
            local key = page.prefix .. ':place:' .. format('%d', (struct.unpack('>I4', place)))
            from = add_rows_of(page, key, from, 2 * page.need, entries)
            entries, from = cut(page, entries, from)
        end
        page.looked = page.looked + #page.places
        table.sort(entries, newer)
        for _, entry in ipairs(entries) do
            if entry[1] >= from then
                look(page, entry[2], entry[1])
                if full(page) then return false end
            end
        end
        page.before, page.id = from, ''
        if from <= page.low then return true end
        window = 2 * window
    end
    return false
end

local WAYS = {
    start = function(page) return walk_set(page, page.prefix .. ':start') end,
    unfinished = function(page) return walk_set(page, page.prefix .. ':open') end,
    kind = function(page) return walk_set(page, page.prefix .. ':kind:' .. page.kind) end,
    place = function(page)
        if #page.places > 1 then return walk_places(page) end
        local place = format('%d', (struct.unpack('>I4', page.places[1])))
        return walk_set(page, page.prefix .. ':place:' .. place)
    end,
}

-- keys: of the node. args: see parse_page; args[2] is the number of places that the caller knows.
-- Returns false when there are more of them; else whether there may be more rows, behind which start
-- and id, and the rows: id, row, id, row, …
local function read_page(keys, args)
    prepare()
    if (redis.call('HGET', keys[1] .. ':meta', 'places') or '0') ~= args[2] then return false end
    local page = parse_page(keys, args)
    find_low(page)
    local done = WAYS[page.way](page)
    return {done and 0 or 1, format('%d', page.before), page.id, page.found}
end

-- All places: how many there are, then number, text, number, text, …
local function read_places(keys)
    return {redis.call('HGET', keys[1] .. ':meta', 'places') or '0', redis.call('HGETALL', keys[1] .. ':places')}
end

redis.register_function('gw_take', take)
redis.register_function{function_name = 'gw_page', callback = read_page, flags = {'no-writes'}}
redis.register_function{function_name = 'gw_places', callback = read_places, flags = {'no-writes'}}
redis.register_function{function_name = 'gw_version', flags = {'no-writes'},
    callback = function() return {VERSION, DIGEST} end}
