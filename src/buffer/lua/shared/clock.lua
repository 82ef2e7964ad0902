-- The time by the clock of the server that runs the script: those of the processes may differ.

-- Unix milliseconds, as text.
local function clock_ms()
  local time = redis.call('TIME')
  return string.format('%.0f', tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000))
end
