-- How many versions an item has, and the position that made the last one, of the same moment.
--   KEYS[1]  the item's history: a list of positions, oldest first
-- Reply: the number, then the position, nil where the item never existed.

return { redis.call('LLEN', KEYS[1]), redis.call('LINDEX', KEYS[1], -1) }
