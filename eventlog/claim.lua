-- Puts something in the place of what a key holds, if that is what it was taken to hold: a claim of
-- an idempotency key, or nothing.
--   KEYS[1]  the idempotency key, in the partition that is its home or in the one it is claimed for
--   ARGV[1]  what it is taken to hold; empty: nothing
--   ARGV[2]  what it is to hold, without the time; empty: nothing
--   ARGV[3]  how long that is kept, in milliseconds
--   ARGV[4]  `now`: the engine's time stands at the end of it; else what stands there
-- Reply: the engine's time, in milliseconds since 1970, and what the key holds now.
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
local held = redis.call('GET', KEYS[1]) or ''
if held ~= ARGV[1] or held == ARGV[2] then
  return { now, held }
elseif ARGV[2] == '' then
  redis.call('DEL', KEYS[1])
  return { now, '' }
end
local claim = ARGV[2] .. ' ' .. (ARGV[4] == 'now' and now or ARGV[4])
redis.call('SET', KEYS[1], claim, 'PX', ARGV[3])
return { now, claim }
