-- Which entries of a log a reader wants.
--
-- Scripts that answer a reader begin with this text. It takes no key and no argument itself.

-- What says whether an entry is wanted, by its fields, which are type and item first, name and value
-- in turn: of this type, if it is not empty, and of an item whose id begins with one of the prefixes
-- in ARGV, from this number on, if there are any.
local function wanting(kind, first_prefix)
  -- By their length: an id is looked up once for each length, and not for each prefix.
  local prefixes = {}
  for i = first_prefix, #ARGV do
    local length = #ARGV[i]
    prefixes[length] = prefixes[length] or {}
    prefixes[length][ARGV[i]] = true
  end
  return function(fields)
    if kind ~= '' and fields[2] ~= kind then
      return false
    end
    for length, some in pairs(prefixes) do
      if some[string.sub(fields[4] or '', 1, length)] then
        return true
      end
    end
    return #ARGV < first_prefix
  end
end
