-- A page of the items that exist, in id order, with their rows: one step, so nothing is missing
-- or there twice because of a write in between.
--   KEYS[1]  the current items   hash
--   KEYS[2]  the ids             zset, all scores 0
--   KEYS[3]  the log             stream
--   ARGV[1]  at most so many
--   ARGV[2]  fewer where their rows have more bytes than this, but one
--   then, for each of at most 32 ranges of ids, in order and without an id in two of them:
--            where it starts: [<id> or -
--            from where on it is listed, which may be nowhere in it: [<id> or (<id> or -
--            where it ends: (<id> or +
-- Reply: the log's last position, 0-0 where it has none, how many there are in the ranges, whether
-- others follow (1 or 0), the ids, and the rows, nil for an id without one.

local FIRST, MOST = 8, 16

local most, most_bytes = tonumber(ARGV[1]), tonumber(ARGV[2])
local total, ids = 0, {}
for i = 3, #ARGV, 3 do
  local start, from, to = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  total = total + redis.call('ZLEXCOUNT', KEYS[2], start, to)
  local left = most + 1 - #ids
  if left > 0 then
    local some = redis.call('ZRANGEBYLEX', KEYS[2], from, to, 'LIMIT', 0, left)
    if #ids == 0 then
      ids = some
    else
      for _, id in ipairs(some) do
        ids[#ids + 1] = id
      end
    end
  end
end
local wanted = math.min(#ids, most)
local rows, taken, bytes, step, is_full = {}, 0, 0, FIRST, false
while taken < wanted and not is_full do
  local some = redis.call('HMGET', KEYS[1], unpack(ids, taken + 1, math.min(taken + step, wanted)))
  for _, row in ipairs(some) do
    bytes = bytes + (row and #row or 0)
    is_full = taken > 0 and bytes > most_bytes
    if is_full then
      break
    end
    taken = taken + 1
    rows[taken] = row
  end
  -- Going by the rows before them; where the next ones are larger, a step too many is read.
  step = math.max(1, math.min(MOST, math.floor((most_bytes - bytes) * taken / (bytes + 1))))
end
local more = taken < #ids and 1 or 0
for i = #ids, taken + 1, -1 do
  ids[i] = nil
end
local last = redis.call('XREVRANGE', KEYS[3], '+', '-', 'COUNT', 1)[1]
return { last and last[1] or '0-0', total, more, ids, rows }
