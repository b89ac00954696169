-- Replays runs: some of one item's events, with no other of its events in between.
--
-- Begins with current_items.lua and replay.lua.
--   then four for each run:
--     the position of its last event
--     the position of its last ItemCreated, empty where there is none
--     how many events, and their positions, with blanks in between
-- Reply: 1.

local FIRST, EACH = 6, 4

for i = FIRST, #ARGV, EACH do
  local entry = redis.call('XRANGE', KEYS[1], ARGV[i], ARGV[i], 'COUNT', 1)[1]
  replay(entry, ARGV[i + 1], tonumber(ARGV[i + 2]), ARGV[i + 3])
end
write()
return 1
