-- Gives the right to drain a partition to one who asks while nobody holds it.
--
-- KEYS  1 lease   2 fence
-- ARGV  1 the asker   2 milliseconds it lasts unless renewed
-- Reply the lease's value, unlike any before it | nil where another holds it

if redis.call('EXISTS', KEYS[1]) == 1 then return false end
local value = string.format('%.0f', redis.call('INCR', KEYS[2])) .. ':' .. ARGV[1]
redis.call('SET', KEYS[1], value, 'PX', ARGV[2])
return value
