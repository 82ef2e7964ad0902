-- Reads a part of a pending list and where the list begins, both of one moment. A transaction would do as well, but
-- Redis takes none while it has no memory left, not even to read.
--
-- KEYS  1 meta   2 the list
-- ARGV  1 the list's name   2 the first entry wanted, counted from the list's head   3 the last
-- Reply {position of the head or nil, epoch or nil, {entry, …}}

local reply = redis.call('HMGET', KEYS[1], 'head:' .. ARGV[1], 'epoch')
reply[3] = redis.call('LRANGE', KEYS[2], ARGV[2], ARGV[3])
return reply
