-- Counts documents that were written to the search index, which are then refused no longer.
--
-- KEYS  1 totals of what was indexed   2 what the index refused
-- ARGV  their paths
-- Reply how many of them had been refused

redis.call('HINCRBY', KEYS[1], 'documents', #ARGV)
local cleared = 0
if redis.call('EXISTS', KEYS[2]) == 1 then
  for _, path in ipairs(ARGV) do cleared = cleared + redis.call('HDEL', KEYS[2], path) end
end
return cleared
