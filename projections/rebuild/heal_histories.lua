-- Puts the right history in the place of wrong ones, item by item.
--
-- Begins with apply.lua, replay.lua and catch_up.lua.
-- Reply: how many are still to be done.

local MOST = 200

if at_end then
  renew()
  for _, item in ipairs(redis.call('SPOP', KEYS[5], MOST)) do
    local live, shadow = ARGV[2] .. item, ARGV[1] .. item
    redis.call('UNLINK', live)
    if redis.call('EXISTS', shadow) == 1 then
      redis.call('RENAME', shadow, live)
    end
  end
  reply[6], reply[7] = renewed, redis.call('SCARD', KEYS[5])
end
return reply
