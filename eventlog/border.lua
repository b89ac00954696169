-- Where the archive is asked and not the streams.
--
-- Goes on after the text of positions.lua. It takes no key and no argument itself.

-- The store's border, false where there is none, or where it is no later than a position.
--
-- A script is one moment: what comes after a border that it has seen is in the streams that it sees.
-- One that is no position is given back as it is: the caller says so.
local function border_after(archive, position)
  local border = redis.call('HGET', archive, 'border')
  if not border or not string.match(border, '^%d+-%d+$') then
    return border
  end
  return key_of(border) > key_of(position) and border
end
