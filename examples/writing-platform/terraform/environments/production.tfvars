environment = "production"
style       = "formal"
canary      = true

# Every load balancer of the rehearsal cloud listens on this machine, each on a port of its own. In AWS each has a name of
# its own, and all of them can listen on 80 or 443.
listener_ports = {
  editor        = 8140
  suggestions   = 8141
  model-gateway = 8142
}
