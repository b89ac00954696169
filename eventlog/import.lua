-- Appends events that happened elsewhere, and applies each to the current items.
--
-- Begins with the text of apply.lua: KEYS[1] to KEYS[3], ARGV[1].
--   ARGV[2]  the position that the log must end at, 0-0 for an empty one
--   then five for each event, in order:
--     its position, or * for a new one
--     type, item, body (empty on a delete), meta
-- Reply: the position that the log now ends at; an error, and nothing written, where it ended
-- elsewhere than ARGV[2]: somebody wrote meanwhile, or where an item's row is missing or broken.

local FIRST, EACH = 3, 5

local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local ends_at = last and last[1] or '0-0'
if ends_at ~= ARGV[2] then
  return redis.error_reply('LOGMOVED ' .. ends_at)
end

redis.call('ZCARD', KEYS[3])  -- raises WRONGTYPE here, before the first write
local refusal = refusal_of(ARGV[FIRST + 2], {})
if refusal then
  return refusal
end

local items = {}
for i = FIRST, #ARGV, EACH do
  items[#items + 1] = ARGV[i + 2]
end
local sound = sound_rows(items)
for n, item in ipairs(items) do
  if not read_row(sound[n]) then
    return redis.error_reply('BROKENROW ' .. item)
  end
end

for n, item in ipairs(items) do
  local i = FIRST + EACH * (n - 1)
  local event_type, data, meta = ARGV[i + 1], ARGV[i + 3], ARGV[i + 4]
  local version, _, created = read_row(rows[item] or sound[n])
  version = string.format('%d', version + 1)
  ends_at = redis.pcall('XADD', KEYS[1], ARGV[i],
    'type', event_type, 'item', item, 'version', version, 'data', data, 'meta', meta)
  if type(ends_at) ~= 'string' then  -- no position is left: what came before it is kept whole
    break
  end
  apply(event_type, item, version, ends_at, created, data)
end
write_items()
return ends_at
