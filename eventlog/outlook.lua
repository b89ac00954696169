-- What comes after a position: whether one of the logs lost something that came then and that the
-- archive does not have, and whether one of them has something.
--
-- Begins with the texts of positions.lua and entries.lua.
--   KEYS     the logs, then as many keys that say how many were trimmed, in the same order, and how the
--            archive stands
--   ARGV[1]  the position
--   ARGV[2]  at most so many bytes of events that it looks at, but one log all the same
-- Reply: at how many of the logs it looked, then 1 where one of these lost something, then 1 where one
-- has something; else 0.
--
-- XINFO counts what a log has lost, and takes long: it is asked only of a log that has nothing up to the
-- position. XREAD passes over a log without anything after it.

local after, most_bytes = ARGV[1], tonumber(ARGV[2])
local looked, bytes, lacks, has = 0, 0, false, false

local logs = (#KEYS - 1) / 2

-- Whether a log without an event up to the position lost something that came after it, and after the
-- border: what comes before that is in the archive.
local function has_lost(number)
  local told = info_of(KEYS[number])
  local trimmed = tonumber(redis.call('GET', KEYS[logs + number]) or 0) or 0
  local last = told['last-generated-id']
  if told['entries-added'] - told['length'] <= trimmed or key_of(last) <= key_of(after) then
    return false
  end
  local border, first = redis.call('HGET', KEYS[#KEYS], 'border'), told['first-entry']
  return not border or key_of(border) < key_of(first and first[1] or last)
end

while looked < logs and bytes < most_bytes and not lacks do
  looked = looked + 1
  local log = KEYS[looked]
  local news = (redis.call('XREAD', 'COUNT', 1, 'STREAMS', log, after) or {})[1]
  if news then
    local earlier = redis.call('XRANGE', log, '-', after, 'COUNT', 1)[1]
    has, bytes = true, bytes + size_of(news[2][1][2]) + (earlier and size_of(earlier[2]) or 0)
    lacks = not earlier and has_lost(looked)
  elseif redis.call('XLEN', log) == 0 and redis.call('EXISTS', log) == 1 then
    lacks = has_lost(looked)
  end
end
return { looked, lacks and 1 or 0, has and 1 or 0 }
