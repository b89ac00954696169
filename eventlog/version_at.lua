-- How many of an item's events there were at a position: the version the item then had.
--
-- Begins with the texts of positions.lua, item_history.lua and item_versions.lua.
--   KEYS[1]  the item's history
--   KEYS[2]  the current items
--   KEYS[3]  how the archive stands
--   ARGV[1]  the item
--   ARGV[2]  the position
-- Reply: how many of them are in the history, and how many versions came before it.
-- Raises BROKENROW.

local count, before = versions_of(KEYS[1], KEYS[2], ARGV[1], KEYS[3])
if not count then
  return broken(ARGV[1])
end
return { count > before and count_at(KEYS[1], ARGV[2]) or 0, before }
