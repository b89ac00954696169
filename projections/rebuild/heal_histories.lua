-- Puts the right history in the place of wrong ones, item by item.
--
-- Begins with replay.lua, what comes before that, and catch_up.lua.
-- Reply: how many are still to be done.

local MOST, MOST_POSITIONS = 200, 10000

local dropped = 0

-- Takes out of a shadow history what was trimmed since it stood there; whether that is all of it.
local function drop_trimmed(shadow)
  local first = border and redis.call('LINDEX', shadow, 0)
  while first and is_trimmed(log, first) and dropped < MOST_POSITIONS do
    redis.call('LPOP', shadow)
    dropped = dropped + 1
    first = redis.call('LINDEX', shadow, 0)
  end
  return not (first and is_trimmed(log, first))
end

if at_end then
  renew()
  for _, item in ipairs(redis.call('SPOP', KEYS[5], MOST)) do
    local live, shadow = ARGV[2] .. item, ARGV[1] .. item
    if not drop_trimmed(shadow) then
      redis.call('SADD', KEYS[5], item)  -- the next step goes on with it
    else
      redis.call('UNLINK', live)
      if redis.call('EXISTS', shadow) == 1 then
        redis.call('RENAME', shadow, live)
      end
    end
  end
  reply[6], reply[7] = renewed, redis.call('SCARD', KEYS[5])
end
return reply
