-- Tells the time of the server that has a key: the servers of a cluster have clocks of their own.
-- KEYS  1 the key
-- reply seconds since 1970 and microseconds
return redis.call('TIME')
