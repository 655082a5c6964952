output "cluster" {
  description = "Name of the ECS cluster."
  value       = aws_ecs_cluster.this.name
}

output "region" {
  description = "AWS region of the environment."
  value       = var.region
}

output "editor_url" {
  description = "Where writers find the editor."
  value       = module.service["editor"].url
}

output "suggestions_url" {
  description = "Where the editor finds the suggestions."
  value       = module.service["suggestions"].url
}

output "model_gateway_url" {
  description = "Where the suggestions find the model gateway."
  value       = module.service["model-gateway"].url
}

output "execution_role_arn" {
  description = "Role for the task definitions."
  value       = var.execution_role_arn
}

output "style_parameter_arn" {
  description = "Parameter that holds the wording of suggestions."
  value       = aws_ssm_parameter.style.arn
}
