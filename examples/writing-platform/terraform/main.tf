resource "aws_ecs_cluster" "this" {
  name = "writing-${var.environment}"

  setting {
    name  = "containerInsights"
    value = "enhanced"
  }
}

module "service" {
  source   = "./modules/service"
  for_each = var.listener_ports

  name               = each.key
  environment        = var.environment
  cluster_arn        = aws_ecs_cluster.this.arn
  listener_port      = each.value
  vpc_id             = var.vpc_id
  subnets            = var.subnets
  security_groups    = var.security_groups
  execution_role_arn = var.execution_role_arn

  canary                 = var.canary
  load_balancer_role_arn = var.load_balancer_role_arn
}
