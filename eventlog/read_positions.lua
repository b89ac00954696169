-- Positions of an item's events, by their versions.
--
-- Begins with the text of item_versions.lua.
--   KEYS[1]  the item's history: a list of positions, oldest first
--   KEYS[2]  the current items
--   KEYS[3]  how the archive stands
--   ARGV[1]  the item
--   ARGV[2]  only those after this version
--   ARGV[3]  at most so many
-- Reply: how many versions came before the history, then those of the positions that are in it.
-- Raises BROKENROW.

local count, before = versions_of(KEYS[1], KEYS[2], ARGV[1], KEYS[3])
if not count then
  return broken(ARGV[1])
end
local first = tonumber(ARGV[2]) - before
local last = first + tonumber(ARGV[3]) - 1
if last < 0 then
  return { before }
end
return { before, unpack(redis.call('LRANGE', KEYS[1], math.max(0, first), last)) }
