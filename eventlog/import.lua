-- Appends events that happened elsewhere, and applies each to the current items of its collection.
--
-- Begins with the texts of apply.lua and order.lua.
--   KEYS[1]  the store's last position, which never goes back
--   KEYS[2]  how the archive stands: nothing may come into the logs up to its fields claimed and border
--   then three for each collection: its log, its current items, its ids
--   ARGV[1]  the number of each event's collection, from 1, with blanks in between; empty: the first
--            for all
--   then two for each collection:
--     in front of an id: the key of its history
--     the position that its log must end at, 0-0 for an empty one
--   then five for each event, in order:
--     its position, or * for the store's next: in all of them or in none
--     type, item, body (empty on a delete), meta
-- Reply: the position that each of the logs now ends at; an error, and nothing written, where one of
-- them ended elsewhere: somebody wrote meanwhile, where an item's row is missing or broken, or where
-- a position is in the part of the log that is archived.

local EACH = 5
local collections, FIRST = {}, (#KEYS - 2) / 3 * 2 + 2

local function end_of(events)
  local last = redis.call('XREVRANGE', events, '+', '-', 'COUNT', 1)[1]
  return last and last[1] or '0-0'
end

-- Whether a position comes after another.
local function is_after(position, other)
  local ms, digits = string.match(position, '^(%d+)-(%d+)$')
  local other_ms, other_digits = string.match(other, '^(%d+)-(%d+)$')
  return is_less(other_ms, ms) or (other_ms == ms and is_less(other_digits, digits))
end

if ARGV[FIRST] and ARGV[FIRST] ~= '*' then
  for _, field in ipairs({ 'claimed', 'border' }) do
    local up_to = redis.call('HGET', KEYS[2], field)
    if up_to and not is_after(ARGV[FIRST], up_to) then
      return redis.error_reply('ARCHIVED ' .. up_to)
    end
  end
end

for k = 3, #KEYS, 3 do
  local number = #collections + 1
  local here = collection_of(KEYS[k], KEYS[k + 1], KEYS[k + 2], ARGV[2 * number])
  here.ends_at, here.items = end_of(here.events), {}
  here.versions, here.created = {}, {}  -- by item, as the events so far have left it
  if here.ends_at ~= ARGV[2 * number + 1] then
    return redis.error_reply('LOGMOVED ' .. here.ends_at)
  end
  redis.call('ZCARD', here.ids)  -- raises WRONGTYPE here, before the first write
  collections[number] = here
end

local is_new = ARGV[FIRST] == '*'
local time = is_new and redis.call('TIME') or { 0, 0 }
local order = begin_order(KEYS[1], string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)))
if order.err then
  return order
end

-- the collection of each event, and each one's items, once
local numbers, events = {}, (#ARGV - FIRST + 1) / EACH
for number in string.gmatch(ARGV[1], '%d+') do
  numbers[#numbers + 1] = tonumber(number)
end
for n = 1, events do
  local here, item = collections[numbers[n] or 1], ARGV[FIRST + EACH * (n - 1) + 2]
  if not here.versions[item] then
    here.items[#here.items + 1], here.versions[item] = item, 0
  end
end

for _, here in ipairs(collections) do
  local refusal = #here.items > 0 and (refusal_of(here, here.items[1]) or refusal_to_set(KEYS[1]))
  if refusal then
    return refusal
  end
  for place, row in ipairs(sound_rows(here, here.items)) do
    local item = here.items[place]
    local version, _, created = read_row(row)
    if not version then
      return redis.error_reply('BROKENROW ' .. item)
    end
    here.versions[item], here.created[item] = version, created
  end
end

for n = 1, events do
  local here, i = collections[numbers[n] or 1], FIRST + EACH * (n - 1)
  local position, event_type, item, data, meta = unpack(ARGV, i, i + EACH - 1)
  here.versions[item] = here.versions[item] + 1
  local version = string.format('%d', here.versions[item])
  if is_new then
    position = next_position(order)
  end
  position = position and redis.pcall('XADD', here.events, position,
    'type', event_type, 'item', item, 'version', version, 'data', data, 'meta', meta)
  if is_new and type(position) ~= 'string' then
    position = append_again(order, here.events,
      'type', event_type, 'item', item, 'version', version, 'data', data, 'meta', meta)
  end
  here.ends_at = position
  if type(position) ~= 'string' then  -- no position is left: what came before it is kept whole
    break
  end
  order.given = position
  here.created[item] = apply(here, event_type, item, version, position, here.created[item], data)
end

local ends = {}
for number, here in ipairs(collections) do
  write_items(here)
  ends[number] = here.ends_at
end
if order.given then
  -- their own positions go up, so the last of them is ahead of all others
  redis.call('SET', KEYS[1], is_new and order.given or go_after(order, order.given))
end
for _, ends_at in ipairs(ends) do
  if type(ends_at) ~= 'string' then
    return ends_at
  end
end
return ends
