-- How many versions an item has, and the position that made the last one, of the same moment.
--   KEYS[1]  the item's history: a list of positions, oldest first
--   KEYS[2]  the current items
--   KEYS[3]  how the archive stands
--   ARGV[1]  the item
-- Reply: the number, then the position, nil where the item never existed.
--
-- Where the store has a border, the history may be empty, and the row says both. Raises BROKENROW where
-- it can't be read.

local last = { redis.call('LLEN', KEYS[1]), redis.call('LINDEX', KEYS[1], -1) }
if redis.call('HEXISTS', KEYS[3], 'border') == 0 then
  return last
end
local row = redis.call('HGET', KEYS[2], ARGV[1])
if not row and not last[2] then
  return last
end
local version, position = string.match(row or '', '^{"version":(%d+),"position":"([%d-]+)"')
if not version then
  return redis.error_reply('BROKENROW ' .. ARGV[1])
end
return { tonumber(version), position }
