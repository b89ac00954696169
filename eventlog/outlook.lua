-- What comes after a position: whether one of the logs lost something that came then, and
-- whether one of them has something.
--
-- Begins with the texts of entries.lua and in_order.lua.
--   KEYS     the logs
--   ARGV[1]  the position
--   ARGV[2]  at most so many bytes of events that it looks at, but a few logs all the same
-- Reply: at how many of the logs it looked, then 1 where one of these lost something, then 1 where one
-- has something; else 0.
--
-- XINFO counts what a log has lost, and takes long: it is asked only of a log that begins later, or is
-- empty.

local GROUP = 8

local after, most_bytes = ARGV[1], tonumber(ARGV[2])
local looked, bytes, lacks, has = 0, 0, false, false

local function is_after(position)
  return key_of(position) > key_of(after)
end

-- Whether a log lost something after the position, where it begins there; empty: where it ends.
local function has_lost(log, begins_at)
  if begins_at and not is_after(begins_at) then
    return false
  end
  local found = info_of(log)
  return found['entries-added'] > found['length'] and is_after(begins_at or found['last-generated-id'])
end

while looked < #KEYS and bytes < most_bytes do
  local streams, count = {}, math.min(GROUP, #KEYS - looked)
  for i = 1, count do
    streams[i], streams[count + i] = KEYS[looked + i], after
  end
  local news = {}
  for _, stream in ipairs(redis.call('XREAD', 'COUNT', 1, 'STREAMS', unpack(streams)) or {}) do
    news[stream[1]], has = true, true
    bytes = bytes + size_of(stream[2][1][2])
  end
  for i = 1, count do
    local log = streams[i]
    if news[log] then
      local first = redis.call('XRANGE', log, '-', '+', 'COUNT', 1)[1]
      bytes = bytes + size_of(first[2])
      lacks = lacks or has_lost(log, first[1])
    elseif redis.call('XLEN', log) == 0 and redis.call('EXISTS', log) == 1 then
      lacks = lacks or has_lost(log)
    end
  end
  looked = looked + count
end
return { looked, lacks and 1 or 0, has and 1 or 0 }
