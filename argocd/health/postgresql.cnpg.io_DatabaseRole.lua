-- Says whether PostgreSQL has this role as described here. It does not look at the cluster that holds it, which has a
-- check of its own; until that cluster's primary runs, nobody reports here.

local status = obj.status
if status == nil then
  return { status = "Progressing", message = "No primary has looked at this role yet." }
end

if status.applied == false then
  return { status = "Degraded", message = "Not applied: " .. (status.message or "no message") }
end

-- applied stays true while a changed description waits for the primary.
local generation = (obj.metadata or {}).generation or 0
if status.applied == true and (status.observedGeneration or 0) >= generation then
  return { status = "Healthy", message = "Applied." }
end

local message = status.message
if message == nil or message == "" then
  message = "The current description has not been applied yet."
end
return { status = "Progressing", message = message }
