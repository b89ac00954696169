-- Goes back in the log over some of its events, without sending their bodies.
--   KEYS[1]  the log
--   ARGV[1]  from here: + for the end, or (<position>
--   ARGV[2]  over so many events
--   ARGV[3]  at most so many bytes that it looks at, but one event all the same
-- Reply: the position of the last event that it went over, 0-0 where there is none, and over how
-- many it went: fewer than asked where they are large, and where the log begins.

local MOST = 16

local count, most_bytes = tonumber(ARGV[2]), tonumber(ARGV[3])
local place, from, passed, bytes = '0-0', ARGV[1], 0, 0
repeat
  local asked = math.min(MOST, count - passed)
  local some = redis.call('XREVRANGE', KEYS[1], from, '-', 'COUNT', asked)
  for _, entry in ipairs(some) do
    for i = 1, #entry[2] do
      bytes = bytes + #entry[2][i]
    end
    place, passed = entry[1], passed + 1
  end
  from = '(' .. place
until passed == count or #some < asked or bytes >= most_bytes
return { place, passed }
