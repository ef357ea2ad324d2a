-- Says whether K8up has put all jobs of this schedule on its clock. The jobs are objects of their own, and an alert,
-- not a health check, says that one has failed: a schedule stays as it is when a backup fails.

for _, condition in ipairs((obj.status or {}).conditions or {}) do
  if condition.type == "Ready" then
    if condition.status == "True" then
      return { status = "Healthy", message = "All jobs are scheduled." }
    end
    if condition.status == "False" then
      return { status = "Degraded", message = condition.message or "The jobs could not be scheduled." }
    end
  end
end
return { status = "Progressing", message = "K8up has not scheduled the jobs yet." }
