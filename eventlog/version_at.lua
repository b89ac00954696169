-- How many of an item's events there were at a position: the version the item then had.
--
-- Begins with the texts of in_order.lua and item_history.lua.
--   KEYS[1]  the item's history
--   ARGV[1]  the position
-- Reply: the version, 0 where its first event came later.

return version_at(KEYS[1], ARGV[1])
