-- Puts the right history in the place of wrong ones, item by item.
--
-- Begins with current_items.lua, replay.lua and catch_up.lua.
-- Reply: how many are still to be done.

if at_end then
  repeat
    local item = redis.call('SPOP', KEYS[5])
    if item then
      local live, shadow = ARGV[2] .. item, ARGV[1] .. item
      redis.call('UNLINK', live)
      if redis.call('EXISTS', shadow) == 1 then
        redis.call('RENAME', shadow, live)
      end
    end
  until not item or os.clock() >= deadline
  reply[6] = redis.call('SCARD', KEYS[5])
end
return reply
