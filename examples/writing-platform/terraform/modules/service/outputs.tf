output "url" {
  description = "Base URL of the service."
  value       = "http://${aws_lb.this.dns_name}:${var.listener_port}"
}
