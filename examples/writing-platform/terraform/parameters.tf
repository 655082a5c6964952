resource "aws_ssm_parameter" "style" {
  name        = "/writing/${var.environment}/style"
  description = "Wording of suggestions"
  type        = "String"
  value       = var.style
}

resource "aws_ssm_parameter" "configuration_release" {
  name        = "/writing/${var.environment}/configuration-release"
  description = "The release whose Terraform configuration was applied last"
  type        = "String"
  value       = var.release_version
}
