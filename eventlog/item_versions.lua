-- How many versions an item has, and where its history begins.
--
-- It takes no key and no argument itself.

-- How many versions the item has, and how many of these came before those in its history: 0 where
-- the store has no border, for then histories are whole. Nil where its row can't be read, which says
-- how many there are where they are not.
local function versions_of(history, current, item, archive)
  local length = redis.call('LLEN', history)
  if redis.call('HEXISTS', archive, 'border') == 0 then
    return length, 0
  end
  local row = redis.call('HGET', current, item)
  if not row and length == 0 then
    return 0, 0
  end
  local version = tonumber(row and string.match(row, '^{"version":(%d+),"position":"[%d-]+"'))
  if version and version >= length then
    return version, version - length
  end
end

-- What a script replies then.
local function broken(item)
  return redis.error_reply('BROKENROW ' .. item)
end
