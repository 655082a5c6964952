variable "environment" {
  description = "Name of the environment; part of all names."
  type        = string

  validation {
    # With the longest service name it must fit in a target group's 32 characters.
    condition     = can(regex("^[a-z][a-z0-9]{0,15}$", var.environment))
    error_message = "The environment must be 1 to 16 lower-case letters and digits, beginning with a letter."
  }
}

variable "region" {
  description = "AWS region of the environment."
  type        = string
  default     = "eu-west-1"
}

variable "release_version" {
  description = "The release whose configuration this is. Given by the deployment."
  type        = string

  validation {
    condition     = can(regex("^[0-9]+\\.[0-9]+\\.[0-9]+([-+][0-9A-Za-z.+-]+)?$", var.release_version))
    error_message = "The release version must be a semantic version such as 1.4.0."
  }
}

variable "listener_ports" {
  description = "Port of each service's load balancer. Its keys are the services that there are."
  type        = map(number)

  validation {
    condition     = toset(keys(var.listener_ports)) == toset(["editor", "suggestions", "model-gateway"])
    error_message = "There must be a port for each of editor, suggestions and model-gateway, and for nothing else."
  }

  validation {
    condition     = alltrue([for port in values(var.listener_ports) : port >= 1 && port <= 65535 && floor(port) == port])
    error_message = "Each port must be a whole number from 1 to 65535."
  }
}

variable "style" {
  description = "Wording of suggestions: plain or formal."
  type        = string
  default     = "plain"

  validation {
    condition     = contains(["plain", "formal"], var.style)
    error_message = "The style must be plain or formal."
  }
}

variable "vpc_id" {
  description = "VPC of the load balancers and tasks."
  type        = string
  default     = "vpc-00000000000000000"
}

variable "subnets" {
  description = "Subnets of the load balancers and tasks, in two zones at least."
  type        = list(string)
  default     = ["subnet-00000000000000001", "subnet-00000000000000002"]

  validation {
    condition     = length(var.subnets) >= 2
    error_message = "A load balancer needs subnets in two zones at least."
  }
}

variable "security_groups" {
  description = "Security groups of the load balancers and tasks."
  type        = list(string)
  default     = ["sg-00000000000000001"]
}

variable "execution_role_arn" {
  description = "Role with which ECS pulls the images, reads parameters and secrets, and writes logs."
  type        = string
  default     = "arn:aws:iam::000000000000:role/writing-execution"
}

variable "canary" {
  description = "Whether deployments shift the traffic in steps."
  type        = bool
  default     = false
}

variable "load_balancer_role_arn" {
  description = "Role with which ECS shifts the traffic: it has AmazonECSInfrastructureRolePolicyForLoadBalancers."
  type        = string
  default     = "arn:aws:iam::000000000000:role/writing-load-balancers"
}
