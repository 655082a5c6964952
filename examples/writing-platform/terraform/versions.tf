terraform {
  required_version = ">= 1.6"

  required_providers {
    # The rehearsal cloud's provider has the resources and attributes of hashicorp/aws. For AWS: source = "hashicorp/aws",
    # version = "~> 6.0".
    aws = {
      source  = "sandbox.local/rehearsal/aws"
      version = "1.0.0"
    }
  }

  # Where the state is: slipway.yaml, one per environment. For AWS: backend "s3" {}
  backend "local" {}
}

provider "aws" {
  region = var.region
}
