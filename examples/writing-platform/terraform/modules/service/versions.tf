terraform {
  required_providers {
    aws = {
      source = "sandbox.local/rehearsal/aws"
    }
  }
}
