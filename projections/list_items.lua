-- A page of the items that exist, in id order, with their rows: one step, so nothing is missing
-- or there twice because of a write in between.
--   KEYS[1]  the current items   hash
--   KEYS[2]  the ids             zset, all scores 0
--   ARGV[1]  from here on: [<id> or (<id> or -
--   ARGV[2]  up to here:   (<id> or [<id> or +
--   ARGV[3]  at most so many
--   ARGV[4]  where the counted range starts; it ends at ARGV[2]
-- Reply: how many there are in the counted range, then id, row, id, row, ...

local ids = redis.call('ZRANGEBYLEX', KEYS[2], ARGV[1], ARGV[2], 'LIMIT', 0, ARGV[3])
local reply = { redis.call('ZLEXCOUNT', KEYS[2], ARGV[4], ARGV[2]) }
for _, id in ipairs(ids) do
  reply[#reply + 1] = id
  reply[#reply + 1] = redis.call('HGET', KEYS[1], id)
end
return reply
