-- The entry that made a version of an item, and how many versions the item has.
--   KEYS[1]  the item's history: a list of positions, oldest first
--   KEYS[2]  the log
--   ARGV[1]  the version less one: its place in the history
--   ARGV[2]  1: with the body; 0: only its first byte
-- Reply: how many versions there are, 0 where the item never existed, then the entry, as XRANGE has
-- it, where there is one.

local reply = { redis.call('LLEN', KEYS[1]) }
local position = redis.call('LINDEX', KEYS[1], ARGV[1])
local entry = position and redis.call('XRANGE', KEYS[2], position, position)[1]
if entry then
  local fields = entry[2]
  if ARGV[2] ~= '1' and fields[7] == 'data' then
    fields[8] = string.sub(fields[8], 1, 1)
  end
  reply[2] = entry
end
return reply
