-- Takes the marks off parents whose counts were written; one that was touched since stays dirty.
--
-- KEYS  1 dirty parents
-- ARGV  of each parent: its path, the sequence under which it was read
-- Reply how many are clean

local cleaned = 0
for at = 1, #ARGV, 2 do
  local current = redis.call('ZSCORE', KEYS[1], ARGV[at])
  if current and tonumber(current) == tonumber(ARGV[at + 1]) then
    cleaned = cleaned + redis.call('ZREM', KEYS[1], ARGV[at])
  end
end
return cleaned
