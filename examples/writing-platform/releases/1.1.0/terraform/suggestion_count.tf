variable "suggestion_count" {
  description = "How many suggestions a writer is shown."
  type        = number
  default     = 3

  validation {
    condition     = var.suggestion_count >= 1 && var.suggestion_count <= 5 && floor(var.suggestion_count) == var.suggestion_count
    error_message = "The number of suggestions must be a whole number from 1 to 5."
  }
}

resource "aws_ssm_parameter" "suggestion_count" {
  name        = "/writing/${var.environment}/suggestion-count"
  description = "How many suggestions a writer is shown"
  type        = "String"
  value       = tostring(var.suggestion_count)
}

output "suggestion_count_parameter_arn" {
  description = "Parameter that holds how many suggestions a writer is shown."
  value       = aws_ssm_parameter.suggestion_count.arn
}
