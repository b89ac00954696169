-- Appends events that happened elsewhere, and applies each to the current items.
--
-- Begins with the texts of apply.lua and order.lua.
--   KEYS[1..3]  the log, the current items, the ids
--   KEYS[4]     the store's last position, which never goes back
--   ARGV[1]     in front of an id: the key of its history
--   ARGV[2]     the position that the log must end at, 0-0 for an empty one
--   then five for each event, in order:
--     its position, or * for the store's next: in all of them or in none
--     type, item, body (empty on a delete), meta
-- Reply: the position that the log now ends at; an error, and nothing written, where it ended
-- elsewhere than ARGV[2]: somebody wrote meanwhile, or where an item's row is missing or broken.

local FIRST, EACH = 3, 5

local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local ends_at = last and last[1] or '0-0'
if ends_at ~= ARGV[2] then
  return redis.error_reply('LOGMOVED ' .. ends_at)
end

local here = collection_of(KEYS[1], KEYS[2], KEYS[3], ARGV[1])
local time = ARGV[FIRST] == '*' and redis.call('TIME') or { 0, 0 }
local order = begin_order(KEYS[4], time[1] * 1000 + math.floor(time[2] / 1000))
if order.err then
  return order
end
redis.call('ZCARD', KEYS[3])  -- raises WRONGTYPE here, before the first write
local refusal = refusal_of(here, ARGV[FIRST + 2], { KEYS[4] })
if refusal then
  return refusal
end

local items = {}
for i = FIRST, #ARGV, EACH do
  items[#items + 1] = ARGV[i + 2]
end
local sound = sound_rows(here, items)
for n, item in ipairs(items) do
  if not read_row(sound[n]) then
    return redis.error_reply('BROKENROW ' .. item)
  end
end

for n, item in ipairs(items) do
  local i = FIRST + EACH * (n - 1)
  local position, event_type, data, meta = ARGV[i], ARGV[i + 1], ARGV[i + 3], ARGV[i + 4]
  local version, _, created = read_row(here.rows[item] or sound[n])
  version = string.format('%d', version + 1)
  local is_new = position == '*'
  if is_new then
    position = next_position(order)
  end
  position = position and redis.pcall('XADD', KEYS[1], position,
    'type', event_type, 'item', item, 'version', version, 'data', data, 'meta', meta)
  if is_new and type(position) ~= 'string' then
    position = append_again(order, KEYS[1],
      'type', event_type, 'item', item, 'version', version, 'data', data, 'meta', meta)
  end
  ends_at = position
  if type(position) ~= 'string' then  -- no position is left: what came before it is kept whole
    break
  end
  order.given = is_new and position or go_after(order, position)
  apply(here, event_type, item, version, position, created, data)
end
write_items(here)
if order.given then
  redis.call('SET', KEYS[4], order.given)
end
return ends_at
