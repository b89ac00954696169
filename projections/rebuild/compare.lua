-- Members of one hash or sorted set that another has not, or has otherwise: a page of them.
--
-- Begins with current_items.lua, replay.lua and catch_up.lua.
--   KEYS[6], KEYS[7]  the one, the other
--   ARGV[8], ARGV[9]  HSCAN and HGET, or ZSCAN and ZSCORE
--   ARGV[10]          the cursor, 0 at first
-- Reply: the next cursor, 0 at the end, then member, value, the other's value or nil, and so on.

local COUNT = 32

if at_end then
  local cursor, found = ARGV[10], {}
  repeat
    local page = redis.pcall(ARGV[8], KEYS[6], cursor, 'COUNT', COUNT)
    if page.err then  -- the key holds something else: there is nothing in it that counts
      page = { '0', {} }
    end
    cursor = page[1]
    for i = 1, #page[2], 2 do
      local member, value = page[2][i], page[2][i + 1]
      local other = redis.pcall(ARGV[9], KEYS[7], member)
      if other ~= value then
        found[#found + 1] = member
        found[#found + 1] = value
        found[#found + 1] = type(other) == 'string' and other
      end
    end
  until cursor == '0' or os.clock() >= deadline
  reply[6], reply[7] = cursor, found
end
return reply
