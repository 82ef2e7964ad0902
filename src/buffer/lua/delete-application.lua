-- Marks an application deleted, so that nothing of it is accepted, read or flushed any more.
--
-- KEYS  1 meta   2 the application's counter   3 its pending chats   4 their revisions   5 its dead letters
-- ARGV  1 seconds the mark stays; 0 for ever
-- Reply 1
--
-- Its pending messages lie under their chats; a flush drops them when it comes to them.

delete_parent(KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5])
if ARGV[1] ~= '0' then redis.call('EXPIRE', KEYS[2], ARGV[1]) end
return 1
