-- How long the head of a pending list has waited, by the clock of Redis: those of the processes may differ.
--
-- A field of meta holds four numbers. Since the first, nothing has left the list while something was in it. Before the
-- second, nothing that is in it was listed. What lies from a position on, the third, was listed after the fourth: that
-- becomes the second when the head has come so far. Where all left the list there is no such field.

-- Something was put into a list that was empty.
local function begin_waiting(meta, list_name)
  local now = clock_ms()
  redis.call('HSET', meta, 'waits:' .. list_name, now .. ' ' .. now .. ' 0 ' .. now)
end

-- Something has left a list that begins at a position now, and so many are left in it.
local function go_on_waiting(meta, list_name, position, left)
  local field = 'waits:' .. list_name
  if left == 0 then return redis.call('HDEL', meta, field) end
  local now, known = clock_ms(), redis.call('HGET', meta, field) or ''
  local listed, mark, marked = string.match(known, '^%d+ (%d+) (%d+) (%d+)$')
  if not mark or position >= tonumber(mark) then
    listed, mark, marked = marked or '0', string.format('%.0f', position + left), now
  end
  redis.call('HSET', meta, field, now .. ' ' .. listed .. ' ' .. mark .. ' ' .. marked)
end
