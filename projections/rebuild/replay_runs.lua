-- Replays runs: some of one item's events, with no other of its events in between.
--
-- Begins with current_items.lua and replay.lua.
--   ARGV[6] and following  a run each: the positions of its events, with a blank in front of each,
--                          and a plus sign behind the blank of an ItemCreated
-- Reply: 1.

local FIRST, MOST = 6, 64

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

for i = FIRST, #ARGV do
  local created = string.match(ARGV[i], '.*%+(%S+)') or ''
  local positions = created == '' and ARGV[i] or string.gsub(ARGV[i], '%+', '')
  local _, count = string.gsub(positions, ' ', ' ')
  local last = string.match(positions, '.* (.*)')
  replay(entry_at(last), created, count, string.sub(positions, 2))
end
write()
return 1
