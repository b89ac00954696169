-- Replays runs: some of one item's events, with no other of its events in between.
--
-- Begins with replay.lua and what comes before that.
--   ARGV[6] and following  a run each: the positions of its events, with a blank in front of each,
--                          and a plus sign after the blank of an ItemCreated
-- Reply: how many of them were replayed: fewer where bodies are large. An error where the log has
-- lost what it had when the runs were made.

local FIRST, MOST, MOST_BYTES = 6, 64, 1024 * 1024

-- Entries by position. The next ones are read together with one that is asked for, as many as
-- were good for something last time: finding a place in the log takes as long as reading ten.
local read, wanted, most, bytes = {}, 1, MOST, 0

local function entry_at(position)
  if not read[position] then
    local entries = redis.call('XRANGE', KEYS[1], position, '+', 'COUNT', math.min(2 * wanted, most))
    local size = 0
    read, wanted = {}, 0
    for _, entry in ipairs(entries) do
      read[entry[1]] = entry
      size = size + #(entry[2][8] or '')
    end
    most = math.max(1, math.min(MOST, math.floor(MOST_BYTES / 4 * #entries / (size + 1))))
    bytes = bytes + size
  end
  wanted = wanted + 1
  return read[position]
end

renew()  -- also where it fails: the next step knows by its lease that this one was taken
local replayed = 0
while replayed < #ARGV - FIRST + 1 and bytes < MOST_BYTES do
  local i = FIRST + replayed
  -- Anchored: what has no plus sign would be searched from each of its bytes on.
  local created = string.match(ARGV[i], '^.*%+(%S+)') or ''
  local positions = created == '' and ARGV[i] or string.gsub(ARGV[i], '%+', '')
  local _, count = string.gsub(positions, ' ', ' ')
  local last = string.match(positions, '.* (.*)')
  local entry = entry_at(last)
  if not entry then
    return redis.error_reply('LOGINCOMPLETE ' .. last)
  end
  replay(entry, created, count, string.sub(positions, 2))
  replayed = replayed + 1
end
write_items(rebuilt)
return replayed
