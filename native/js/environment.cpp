#include "js/environment.h"

#include "engine/job_thread.h"

namespace eta {

namespace {

// 'uncaughtException', as for any callback that throws.
void Report(napi_env env, const Napi::Error& error) {
  try {
    napi_fatal_exception(env, error.Value());
  } catch (const Napi::Error&) {
    // A thread that is being terminated hears nothing any more.
  }
}

void CallJs(napi_env env, napi_value, void*, void* data) {
  const std::unique_ptr<Delivery> delivery(static_cast<Delivery*>(data));
  if (env == nullptr) return;  // the environment is being torn down
  const Napi::HandleScope scope(env);
  try {
    delivery->Deliver();
  } catch (const Napi::Error& error) {
    Report(env, error);
  } catch (const std::exception& error) {
    Report(env, Napi::Error::New(env, error.what()));
  }
}

}  // namespace

EventLoop::EventLoop(Napi::Env env) {
  const Napi::String name = Napi::String::New(env, "eta-vlm");
  const napi_status status =
      napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, nullptr, CallJs, &function_);
  if (status != napi_ok) throw Napi::Error::New(env, "Cannot create the thread-safe function of eta-vlm.");
  napi_unref_threadsafe_function(env, function_);
}

void EventLoop::Post(std::unique_ptr<Delivery> delivery) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (is_closed_) return;
  if (napi_call_threadsafe_function(function_, delivery.get(), napi_tsfn_nonblocking) == napi_ok) {
    (void)delivery.release();  // CallJs owns it now
  }
}

void EventLoop::KeepAlive(Napi::Env env, bool is_needed) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (is_closed_) return;
  if (is_needed) {
    napi_ref_threadsafe_function(env, function_);
  } else {
    napi_unref_threadsafe_function(env, function_);
  }
}

void EventLoop::Close() {
  const std::lock_guard<std::mutex> lock(mutex_);
  is_closed_ = true;
}

void Environment::Install(Napi::Env env) {
  Environment* environment = new Environment(env);
  env.SetInstanceData<Environment>(environment);
  // Registered after the thread-safe function, so that it runs before that one is torn down. The loop is held by
  // itself because hooks run before instance data is deleted, but in no order that a reader should have to know.
  const std::shared_ptr<EventLoop> loop = environment->loop_;
  env.AddCleanupHook([loop]() {
    loop->Close();
    JobThread::StopAll(loop.get());
  });
  // process.exit() runs no cleanup hooks on the main thread, and libraries have static data that is gone before the
  // last thread has noticed: stop while JavaScript is still there.
  const Napi::Object process = env.Global().Get("process").As<Napi::Object>();
  const Napi::Function on_exit =
      Napi::Function::New(env, [loop](const Napi::CallbackInfo&) { JobThread::StopAll(loop.get()); }, "stopEtaVlm");
  process.Get("on").As<Napi::Function>().Call(process, {Napi::String::New(env, "exit"), on_exit});
  JobThread::StopAllAtExit();
}

Environment& Environment::Of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }

Napi::Promise Environment::AddPromise(const Napi::Object& keep, uint64_t* id) {
  const Napi::Promise::Deferred deferred = Napi::Promise::Deferred::New(env_);
  *id = next_id_++;
  pending_.emplace(*id, Pending{deferred, keep.IsEmpty() ? Napi::ObjectReference() : Napi::Persistent(keep)});
  if (pending_.size() == 1) loop_->KeepAlive(env_, true);
  return deferred.Promise();
}

Napi::Object Environment::Kept(uint64_t id) {
  const Pending& pending = pending_.at(id);
  return pending.keep.IsEmpty() ? Napi::Object() : pending.keep.Value();
}

Environment::Pending Environment::Take(uint64_t id) {
  const auto entry = pending_.find(id);
  Pending pending = std::move(entry->second);
  pending_.erase(entry);
  if (pending_.empty()) loop_->KeepAlive(env_, false);
  return pending;
}

void Environment::Resolve(uint64_t id, const Napi::Value& value) { Take(id).deferred.Resolve(value); }

void Environment::Reject(uint64_t id, const Napi::Value& error) { Take(id).deferred.Reject(error); }

uint64_t Environment::AddCallback(const Napi::Function& callback) {
  const uint64_t id = next_id_++;
  callbacks_.emplace(id, Napi::Persistent(callback));
  return id;
}

void Environment::Call(uint64_t id, const Napi::Value& value) {
  const auto entry = callbacks_.find(id);
  if (entry == callbacks_.end()) return;
  // Held here: the callback may end its own registration.
  const Napi::Function function = entry->second.Value();
  function.Call({value});
}

}  // namespace eta
