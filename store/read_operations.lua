-- What is known of operations, as of one moment.
--   KEYS[1]  the lease of the one that runs: its id, and after a blank who cancels it
--   KEYS[2]  the operations: a hash from id to what is known of each, JSON
-- Reply: what the lease holds, empty where none runs; and then all that is known, in any order.

local known = redis.call('HVALS', KEYS[2])
table.insert(known, 1, redis.call('GET', KEYS[1]) or '')
return known
