provider "sandbox.local/rehearsal/aws" {
  version     = "1.0.0"
  constraints = "1.0.0"
  hashes = [
    "h1:agQ3OKG8ow7FKZ5RKH3rrwzl+eNVK0a7tBvyw7JKo80=",
  ]
}
