-- Replays runs: some of one item's events, with no other of its events in between.
--
-- Begins with current_items.lua and replay.lua.
--   then four for each run:
--     the position of its last event
--     the position of its last ItemCreated, empty where there is none
--     how many events, and their positions, with blanks in between
-- Reply: 1.

local FIRST, EACH, MOST = 6, 4, 64

-- Entries by position. The next ones are read together with one that is asked for, as many as
-- were good for something last time: finding a place in the log takes as long as reading ten.
local read, wanted = {}, 1

local function entry_at(position)
  if not read[position] then
    local entries = redis.call('XRANGE', KEYS[1], position, '+', 'COUNT', math.min(2 * wanted, MOST))
    read, wanted = {}, 0
    for _, entry in ipairs(entries) do
      read[entry[1]] = entry
    end
  end
  wanted = wanted + 1
  return read[position]
end

for i = FIRST, #ARGV, EACH do
  replay(entry_at(ARGV[i]), ARGV[i + 1], tonumber(ARGV[i + 2]), ARGV[i + 3])
end
write()
return 1
