-- Goes back in the log over some of its events, without sending their bodies.
--
-- Begins with the text of entries.lua.
--   KEYS[1]  the log
--   ARGV[1]  from here: + for the end, or (<position>
--   ARGV[2]  over so many events
--   ARGV[3]  at most so many bytes that it looks at, but one event all the same
-- Reply: the positions of the events that it went over, the newest first: fewer than asked where they
-- are large, and where the log begins.

local MOST = 16

local count, most_bytes = tonumber(ARGV[2]), tonumber(ARGV[3])
local from, passed, bytes = ARGV[1], {}, 0
repeat
  local asked = math.min(MOST, count - #passed)
  local some = redis.call('XREVRANGE', KEYS[1], from, '-', 'COUNT', asked)
  for _, entry in ipairs(some) do
    bytes = bytes + size_of(entry[2])
    passed[#passed + 1] = entry[1]
  end
  from = '(' .. (passed[#passed] or '0-0')
until #passed == count or #some < asked or bytes >= most_bytes
return passed
