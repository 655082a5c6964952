variable "name" {
  description = "Name of the service and of its container."
  type        = string
}

variable "environment" {
  description = "Name of the environment."
  type        = string
}

variable "cluster_arn" {
  description = "ECS cluster that runs the service."
  type        = string
}

variable "container_port" {
  description = "Port on which the container listens."
  type        = number
  default     = 8080
}

variable "listener_port" {
  description = "Port on which the load balancer listens."
  type        = number
}

variable "vpc_id" {
  description = "VPC of the targets."
  type        = string
}

variable "subnets" {
  description = "Subnets of the load balancer and the tasks."
  type        = list(string)
}

variable "security_groups" {
  description = "Security groups of the load balancer and the tasks."
  type        = list(string)
}

variable "execution_role_arn" {
  description = "Role with which ECS starts the tasks."
  type        = string
}

variable "canary" {
  description = "Whether deployments shift the traffic in steps, between two target groups."
  type        = bool
}

variable "load_balancer_role_arn" {
  description = "Role with which ECS shifts the traffic."
  type        = string
}
