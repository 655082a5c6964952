locals {
  full_name = "${var.environment}-${var.name}"
}

resource "aws_lb" "this" {
  name               = local.full_name
  internal           = var.name != "editor"
  load_balancer_type = "application"
  subnets            = var.subnets
  security_groups    = var.security_groups
}

# A service that is deployed by canary has two target groups: each deployment's tasks are in the one that the last one's are not in.
resource "aws_lb_target_group" "this" {
  count = var.canary ? 2 : 1

  name                 = count.index == 0 ? local.full_name : "${local.full_name}-2"
  port                 = var.container_port
  protocol             = "HTTP"
  target_type          = "ip"
  vpc_id               = var.vpc_id
  deregistration_delay = 10

  health_check {
    path                = "/health"
    matcher             = "200"
    interval            = 5
    timeout             = 2
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }
}

resource "aws_lb_listener" "this" {
  load_balancer_arn = aws_lb.this.arn
  port              = var.listener_port
  protocol          = "HTTP"

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this[0].arn
  }
}

# Where ECS shifts the traffic. The default action of a listener can't be given to it.
resource "aws_lb_listener_rule" "production" {
  count = var.canary ? 1 : 0

  listener_arn = aws_lb_listener.this.arn
  priority     = 1

  condition {
    path_pattern {
      values = ["/*"]
    }
  }

  action {
    type = "forward"

    forward {
      target_group {
        arn    = aws_lb_target_group.this[0].arn
        weight = 100
      }

      target_group {
        arn    = aws_lb_target_group.this[1].arn
        weight = 0
      }
    }
  }

  # Deployments write the weights, Terraform only the first ones.
  lifecycle {
    ignore_changes = [action]
  }
}

# A service needs a task definition to be created with. This one never runs: the service starts with no tasks, and the first
# deployment brings its own.
resource "aws_ecs_task_definition" "bootstrap" {
  family                   = "writing-${local.full_name}-bootstrap"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = "256"
  memory                   = "512"
  execution_role_arn       = var.execution_role_arn

  container_definitions = jsonencode([{
    name                   = var.name
    image                  = "public.ecr.aws/docker/library/node:24-slim"
    essential              = true
    user                   = "1000:1000"
    readonlyRootFilesystem = true
    portMappings           = [{ containerPort = var.container_port, protocol = "tcp" }]
  }])
}

resource "aws_ecs_service" "this" {
  name            = var.name
  cluster         = var.cluster_arn
  task_definition = aws_ecs_task_definition.bootstrap.arn
  desired_count   = 0
  launch_type     = "FARGATE"

  health_check_grace_period_seconds = 10

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.this[0].arn
    container_name   = var.name
    container_port   = var.container_port

    dynamic "advanced_configuration" {
      for_each = aws_lb_listener_rule.production

      content {
        alternate_target_group_arn = aws_lb_target_group.this[1].arn
        production_listener_rule   = advanced_configuration.value.arn
        role_arn                   = var.load_balancer_role_arn
      }
    }
  }

  network_configuration {
    subnets         = var.subnets
    security_groups = var.security_groups
  }

  # ECS refuses a service whose target group is not yet behind a listener.
  depends_on = [aws_lb_listener.this]

  # Deployments write these, Terraform only their first values.
  lifecycle {
    ignore_changes = [
      task_definition,
      desired_count,
      load_balancer,
      deployment_configuration,
      deployment_circuit_breaker,
      deployment_maximum_percent,
      deployment_minimum_healthy_percent,
      alarms,
    ]
  }
}
