-- The entry that made a version of an item, and how many versions the item has.
--
-- Begins with the text of item_versions.lua.
--   KEYS[1]  the item's history: a list of positions, oldest first
--   KEYS[2]  the current items
--   KEYS[3]  how the archive stands
--   KEYS[4]  the log
--   ARGV[1]  the item
--   ARGV[2]  the version
--   ARGV[3]  1: with the body; 0: only its first byte
-- Reply: how many versions there are, 0 where the item never existed; how many of them came before the
-- history; the version's position, nil where that is not in the history; then the entry, as XRANGE has
-- it, where there is one.
-- Raises BROKENROW.

local count, before = versions_of(KEYS[1], KEYS[2], ARGV[1], KEYS[3])
if not count then
  return broken(ARGV[1])
end
local place = tonumber(ARGV[2]) - before - 1
local position = place >= 0 and redis.call('LINDEX', KEYS[1], place)
local reply = { count, before, position }
local entry = position and redis.call('XRANGE', KEYS[4], position, position)[1]
if entry then
  local fields = entry[2]
  if ARGV[3] ~= '1' and fields[7] == 'data' then
    fields[8] = string.sub(fields[8], 1, 1)
  end
  reply[4] = entry
end
return reply
