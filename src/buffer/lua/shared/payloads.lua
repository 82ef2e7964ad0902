-- What scripts know of a payload: by its form, whether it is that of a deleted record.

local function is_tombstone(payload)
  return string.find(payload, '^[^|]*|[^|]*|[^|]*|[^|]*|[^|]*|x$') ~= nil
end
