-- Puts the shadow's rows and ids in the place of the live ones.
--
-- Begins with replay.lua, what comes before that, and catch_up.lua.
--   KEYS[8], KEYS[9]  the live rows and ids
--   KEYS[10], KEYS[11]  where these go, to be removed without haste
-- Reply: nothing of its own.

local function put_in_place(shadow, live, aside)
  if redis.call('EXISTS', live) == 1 then
    redis.call('RENAME', live, aside)
  end
  if redis.call('EXISTS', shadow) == 1 then
    redis.call('RENAME', shadow, live)
  end
end

if at_end then
  renew()
  put_in_place(KEYS[2], KEYS[8], KEYS[10])
  put_in_place(KEYS[3], KEYS[9], KEYS[11])
  reply[6] = renewed
end
return reply
